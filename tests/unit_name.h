/* SPDX-License-Identifier: MIT */
/* The compiler reads this before the file of a unit test that is one of many in a program: its main() gets
 * the name of the test, UNIT_NAME, and tests/unit.c calls it. */
#ifndef TESTS_UNIT_NAME_H
#define TESTS_UNIT_NAME_H

int UNIT_NAME(void);
#define main UNIT_NAME

#endif
