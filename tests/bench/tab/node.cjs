// The part of Node's modules that aedes needs in a page.

module.exports = (is) => {
  if (!is) throw new Error('An assertion failed.');
};
module.exports.randomUUID = () => crypto.randomUUID();
module.exports.promisify = (run) => (...values) =>
  new Promise((resolve, reject) => run(...values, (error, value) => (error ? reject(error) : resolve(value))));
module.exports.inherits = (type, base) => Object.setPrototypeOf(type.prototype, base.prototype);
