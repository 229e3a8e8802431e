import sys

totals = {}
for line in sys.stdin:
    if line.strip() and not line.startswith("#"):
        name, number = line.split()
        totals[name] = totals.get(name, 0) + int(number)
for name, total in sorted(totals.items(), key=lambda item: (-item[1], item[0])):
    print(name, total)
