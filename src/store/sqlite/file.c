#include "store/sqlite/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/buffer.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/ledger_operations.h"
#include "store/sqlite/query.h"

static const char *database_path(const struct connection *connection)
{
    return sqlite3_db_filename(connection->database, "main");
}

static const char *log_path(const struct connection *connection)
{
    return sqlite3_filename_wal(database_path(connection));
}

/* Zeros where there is no such file. */
static struct file_identity identity_of(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return (struct file_identity){0};
    return (struct file_identity){info.st_dev, info.st_ino};
}

static bool is_same(const char *path, const struct file_identity *noted)
{
    const struct file_identity now = identity_of(path);
    return now.device == noted->device && now.inode == noted->inode;
}

void file_note(struct connection *connection)
{
    connection->file = identity_of(database_path(connection));
    connection->log = identity_of(log_path(connection));
}

enum status sqlite_check_file(struct store *store, struct reason *reason)
{
    const struct connection *connection = connection_of(store);
    const char *path = database_path(connection);
    /* SQLite compares with the descriptor that it has open, so nothing slips in between its opening
     * of the file and file_note(); but it does not look at the device. */
    int moved = 0;
    const int code =
        sqlite3_file_control(connection->database, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (code == SQLITE_OK && moved == 0 && is_same(path, &connection->file)) {
        path = log_path(connection);
        if (is_same(path, &connection->log))
            return STATUS_OK;
    }
    reason_set(reason,
               "%s was deleted or replaced while weir has it open, so what weir writes now would "
               "be lost; put the file back, or restart weir",
               path);
    return STATUS_NOT_FOUND;
}

/* The names of new files are on the disk once their folder was synced. */
static enum status sync_folder(struct connection *connection, struct reason *reason)
{
    const char *path = database_path(connection);
    const char *slash = strrchr(path, '/');
    struct buffer folder;
    buffer_init(&folder, 4096);
    buffer_append(&folder, slash != NULL ? slice_of(path, (size_t)(slash - path) + 1) : SLICE("."));
    buffer_append_byte(&folder, '\0');
    enum status status = buffer_status(&folder);
    const int file =
        status == STATUS_OK ? open(folder.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (status == STATUS_OK && (file < 0 || fsync(file) != 0)) {
        reason_set(reason, "the folder %s cannot be synced: %s", folder.data, strerror(errno));
        status = STATUS_IO;
    }
    if (file >= 0)
        close(file);
    buffer_fini(&folder);
    connection->folder_synced = status == STATUS_OK;
    return status;
}

static enum status sync_log(struct connection *connection, struct reason *reason)
{
    sqlite3_file *log = NULL;
    int code =
        sqlite3_file_control(connection->database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (code == SQLITE_OK && (log == NULL || log->pMethods == NULL))
        code = SQLITE_IOERR_FSYNC; /* no log is open, so nothing can be said of it */
    if (code == SQLITE_OK)
        code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
    if (code == SQLITE_OK)
        return STATUS_OK;
    connection->sync_failed = true;
    reason_set(reason, "%s cannot be synced: %s", log_path(connection), strerror(errno));
    return STATUS_IO;
}

/* After a failed sync the kernel takes the log's pages for written, so that a second one would
 * succeed without having written them. So everything goes into the database's own file, and that is
 * synced by SQLite; the log begins anew after it. */
static enum status write_anew(struct connection *connection, struct reason *reason)
{
    const int code = sqlite3_wal_checkpoint_v2(connection->database, "main",
                                               SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (code != SQLITE_OK)
        return connection_failure(connection, code, reason);
    connection->sync_failed = false;
    return STATUS_OK;
}

enum status sqlite_sync(struct store *store, struct reason *reason)
{
    struct connection *connection = connection_of(store);
    ASSERT(!connection->in_transaction);
    enum status status =
        connection->sync_failed ? write_anew(connection, reason) : sync_log(connection, reason);
    if (status == STATUS_OK && !connection->folder_synced)
        status = sync_folder(connection, reason);
    return status;
}
