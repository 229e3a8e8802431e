#!/bin/sh
cp /solution/solution.py /app/solution.py
