"""The command line: parse the words, call one function of the package, print the result. One file per command."""
