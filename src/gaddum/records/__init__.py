"""Records: what was published, as frozen pydantic models. No arrays, no JAX."""
