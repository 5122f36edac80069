"""How the tables came to be, step by step. They are inside the package, so an installed service migrates as a checkout.

A step is a file in `versions/`: it only adds, is never changed once released, and uses nothing of the rest of the
package, which will have moved on when it runs. Its revision goes into `REVISIONS` of `cds_service/store/migrate.py`.
"""
