"""How a model server is asked: the endpoint, its connections, which addresses may be reached, how fast, and what goes wrong."""
