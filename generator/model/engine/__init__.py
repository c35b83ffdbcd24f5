"""The engine: decodes many drafts at once on CPU cores, from a transformers model, through kernels of its own.

`arithmetic` and `kernels` are compiled by Numba, `products` are torch's matrix products on packed weights, `decoder`
puts them into one step for one token a row, `lane` runs rows through steps, `opening` makes an `Engine`, which is the
LanguageModel of it all.
"""
