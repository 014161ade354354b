"""Recovery: whether accounts are found again in ledgers simulated from them."""
