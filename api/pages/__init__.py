"""How do people use Xuesi? Server-rendered pages; each module here is one place of the site with its router."""
