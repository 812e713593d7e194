"""DataOps: tables in, checked against the contract, split for learning."""
