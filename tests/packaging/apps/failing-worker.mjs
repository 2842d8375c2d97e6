import { serve } from 'mqlite/shared-worker';

serve({ maximumQos: 7 });
