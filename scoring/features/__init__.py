"""Rolling features of one entity: what is declared, how it is folded, how the state is packed."""
