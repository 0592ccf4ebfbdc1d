"""How a model server is asked.

endpoint    what is sent, and where          wire         the connections, and how much of an answer is held
completion  what an answer says              trouble      what goes wrong, and what that means for the next request
network     which addresses may be reached   resolver     … by name, on a hosted instance       proxies  … and through what
pace        how many requests at once
"""
