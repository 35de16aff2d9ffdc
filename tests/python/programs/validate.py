"""pydantic-marc: every record as a model, and its errors as data, JSON and text: python validate.py FILE"""

import sys

from pydantic import ValidationError
from pydantic_marc import MarcRecord
from pymarc import MARCReader

with open(sys.argv[1], "rb") as file:
    for number, record in enumerate(MARCReader(file)):
        try:
            model = MarcRecord.model_validate(record, from_attributes=True)
        except ValidationError as problem:
            print(number, problem.errors(), problem.json(), problem, sep="\n")
        except Exception as problem:  # of odd records it says that it cannot
            print(number, type(problem), problem)
        else:
            print(number, model.model_dump_json())
