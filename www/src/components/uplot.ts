// The library that draws lines, with its style: a chunk of its own.

import 'uplot/dist/uPlot.min.css';

export { default as UPlot } from 'uplot';
