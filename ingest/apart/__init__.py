"""How is hostile work done without endangering anything? Each piece in a process of its own, which can do nothing but that and then ends.

`process.Apart` is the side of the worker (or server); `zygote` a process that has the libraries loaded and forks; `confinement` what a forked
process lets itself be forbidden before it touches a byte; `reading` and `exchange` are how a file is read this way. See docs/adr/0008.
"""
