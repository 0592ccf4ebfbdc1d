"""The command line: parse, call one function of the package, print. One file per command."""
