// Runs the mixture of random operations through several handles on one file.

import { describe } from "@jest/globals";

import { DRIVERS } from "../drivers";
import { itHandlesMixtures } from "../mixture";
import { separateInbox } from "../separate";
import { ended, temporary } from "../temporary";

describe.each(DRIVERS)("with $name", ({ open }) =>
  itHandlesMixtures(() => {
    const file = temporary();
    return (options) => {
      const database = open(file);
      ended.push(() => database.close());
      return separateInbox({ database, ...options });
    };
  }),
);
