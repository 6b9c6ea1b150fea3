"""The contract, line by line: one test per numbered line of each section."""
