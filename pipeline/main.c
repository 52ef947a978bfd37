/* SPDX-License-Identifier: MIT */
#include "stages/stage.h"

int main(void)
{
    return stage_find("template") ? 0 : 2;
}
