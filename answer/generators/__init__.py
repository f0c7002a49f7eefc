"""Which chat models write answers? One adapter for each protocol; none is imported unless the settings name a model."""
