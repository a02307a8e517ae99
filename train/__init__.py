"""Train styles and export them as streaming models that carry their own proof (needs torch).

Read a recipe first (:mod:`train.recipes`): it names data, network, loss and targets.  Commands:
``restyle train fit|evaluate|export RECIPE`` and ``restyle train models``.
"""
