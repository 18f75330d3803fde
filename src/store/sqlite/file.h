/* Which file a path names, so that a database that was moved away from under weir is noticed. */
#ifndef STORE_SQLITE_FILE_H
#define STORE_SQLITE_FILE_H

#include <sys/types.h>

struct file_identity {
    dev_t device;
    ino_t inode;
};

struct connection;

/* Notes the identities of the database and of its log, both just opened. */
void file_note(struct connection *connection);

#endif
