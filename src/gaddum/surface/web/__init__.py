"""The workbench: `gaddum serve`, the commands as pages of a server on this computer.

A page asks what a request declares and shows what the command answers; the query string of its address is the request,
so that a reload, the command beside the picture and the JSON of the same path are one. What needs JAX, or takes long,
runs as a process of its own (`jobs`); so does what reads a file of the user's (`child`).
"""
