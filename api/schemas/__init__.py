"""In which shape do requests and answers travel? The wire types of the HTTP contract, and how they are made of domain objects."""
