import { serve } from 'mqlite/shared-worker';

serve();
