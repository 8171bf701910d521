"""The shape of a study file, written once: keys, types, units, defaults and meaning of every table.

`senexo.study.form.file.StudyFile` is the whole file. Readers, the JSON Schema and the table of keys in
docs/study-file.md are made from these models; what a name must refer to is checked later, against the model.
"""
