"""
Conversations as raw data: everything before the last assistant turn is context, that turn is the attempt.

calls.py    calls of tools, in the shapes that datasets write them        tools.py    the tools that may be called
context.py  the turns before an attempt, in an order that trainers load
"""
