"""Cost before you build: what the declarations would cost a month on Azure.

    prices      the dated price file of the repository: what each meter costs, and who says so
    quantities  how much of each meter the declarations need, under named assumptions: pure arithmetic
    estimate    quantities at those prices, and the joint part shared out per inhabitant
    refresh     prices and exchange rates from the public Azure Retail Prices API

A declaration for the lab is priced as if it were for Azure, with the settings Azure declarations start from.
"""

from __future__ import annotations
