"""The sandbox forge: small and strict, the demo's embedded default and the test double of everything."""
