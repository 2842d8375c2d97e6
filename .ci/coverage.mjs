// Reads which lines ran, and prints for each module of the core how many did. Lines of tests do not count.
// With `--missed`, which lines did not.
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'

const [report, ...options] = process.argv.slice(2)
const modules = ['codec', 'topic', 'session', 'broker', 'store']

const files = readFileSync(report, 'utf8')
  .split('end_of_record')
  .map((record) => ({
    path: relative('.', record.match(/^SF:(.*)$/m)?.[1] ?? ''),
    lines: [...record.matchAll(/^DA:(\d+),(\d+)$/gm)].map(([, number, count]) => ({ number, runs: count > 0 })),
  }))

const sums = modules.map((module) => {
  const own = files.filter(({ path }) => path.startsWith(`src/${module}/`))
  const lines = own.flatMap(({ path, lines }) => {
    const tests = beginOfTests(path)
    return lines.filter(({ number }) => number < tests).map((line) => ({ path, ...line }))
  })
  const missed = lines.filter(({ runs }) => !runs)
  if (options.includes('--missed')) for (const { path, number } of missed) console.log(`${path}:${number}`)
  return tell(`src/${module}`, lines.length, lines.length - missed.length)
})
tell('all of these', ...[0, 1].map((field) => sums.reduce((sum, counts) => sum + counts[field], 0)))

/** Tests are the end of a file, or the whole of one that its module names for tests alone. */
function beginOfTests(path) {
  const parent = join(dirname(path), 'mod.rs')
  const isOfTests = new RegExp(String.raw`#\[cfg\((all\()?test\b.*\]\s+mod ${basename(path, '.rs')};`)
  if (existsSync(parent) && isOfTests.test(readFileSync(parent, 'utf8'))) return 0
  const index = readFileSync(path, 'utf8').split('\n').indexOf('#[cfg(test)]')
  return index < 0 ? Infinity : index + 1
}

function tell(name, lines, covered) {
  const share = ((100 * covered) / lines).toFixed(2)
  if (lines > 0) console.log(name.padEnd(14), `${covered} of ${lines} lines`.padStart(20), `${share} %`.padStart(9))
  return [lines, covered]
}
