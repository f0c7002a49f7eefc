"""How is each endpoint answered? Schema in, a call to a service, schema out."""
