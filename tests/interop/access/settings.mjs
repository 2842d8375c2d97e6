// The settings of a host of the contract, in the words that both have.

export const SETTINGS = {
  authentication: {
    anonymous: false,
    grants: [{ filter: 'from/#' }, { filter: 'of/%u/#' }, { filter: 'at/%c/#' }, { filter: 'news/#', publish: false, maximumQos: 1 }],
    // Few, so that the tests are not about waiting.
    passwordIterations: 1_000,
    // What is refused here is refused on purpose, and often, and from one address.
    failuresPerMinute: 1_000,
    jwt: { issuer: 'the-issuer', audience: 'mqtt', leewaySeconds: 1 },
  },
};
