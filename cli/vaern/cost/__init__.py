"""Cost before you build: what the declarations would cost a month on Azure.

    prices      the dated price file of the repository: what each meter costs, with its source
    assumptions what nobody declares: low, expected and high
    load        what a municipality sends
    quantities  how much of each meter the declarations need: pure arithmetic
    estimate    quantities at those prices, and the joint part divided by inhabitants
    refresh     prices and exchange rates from the public Azure Retail Prices API

A declaration for the lab is priced as if it were for Azure, with the default settings of a declaration for Azure.
"""

from __future__ import annotations
