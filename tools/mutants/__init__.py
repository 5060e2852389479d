"""Mutation testing: which small change of the product would no test notice? `make mutants`."""
