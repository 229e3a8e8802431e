class Overdrawn(ValueError):
    def __init__(self, missing):
        super().__init__(f"{missing} cents are missing")
        self.missing = missing


class Ledger:
    def __init__(self):
        self._booked = {}

    def deposit(self, account, amount):
        self._check(amount)
        self._booked.setdefault(account, []).append(amount)

    def withdraw(self, account, amount):
        self._check(amount)
        missing = amount - self.balance(account)
        if missing > 0:
            raise Overdrawn(missing)
        self._booked[account].append(-amount)

    def balance(self, account):
        return sum(self._booked.get(account, ()))

    def history(self, account):
        return list(self._booked.get(account, ()))

    @staticmethod
    def _check(amount):
        if amount <= 0:
            raise ValueError("an amount is positive")


def settle(debts):
    totals = {}
    for debtor, creditor, amount in debts:
        totals[debtor] = totals.get(debtor, 0) - amount
        totals[creditor] = totals.get(creditor, 0) + amount
    return {name: total for name, total in totals.items() if total}
