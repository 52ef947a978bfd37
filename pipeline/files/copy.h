/* SPDX-License-Identifier: MIT */
#ifndef PIPELINE_COPY_H
#define PIPELINE_COPY_H

/* Makes the empty file `to` hold what `from` holds, from its beginning: shared where the file system can
 * share (FICLONE), else by copy_file_range, else by reading and writing. 0 or an errno. Blocks on the disk.
 */
int copy_file(int from, int to);

#endif
