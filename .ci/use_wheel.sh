#!/bin/sh
# Uses the senexo that is installed in the environment in this folder: no file of the checkout can be seen from here.
set -eu
export PYTHONNOUSERSITE=1 PYTHONPATH=
bin/python -P -c "import senexo, pathlib; assert pathlib.Path(senexo.__file__).is_relative_to(pathlib.Path('lib').resolve()), senexo.__file__"
bin/senexo --version
bin/senexo studies >/dev/null
bin/senexo check mir34c-lone >/dev/null
bin/senexo assay survival --example >/dev/null
bin/senexo targets --help >/dev/null
bin/senexo run mir34c-lone --donors 2 --set cells.LSC.n=2 --workers 2 --out results >run.log 2>&1 || { tail -30 run.log; exit 1; }
bin/senexo verify results
test -s results/report.html
