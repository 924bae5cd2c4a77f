/* Record what a process does to the files of one folder, in order, and let some of it fail: for tests of power loss and full disks.
 *
 * Loaded with LD_PRELOAD. The folder is in RECORD_FOLDER, the trace goes to RECORD_TRACE: an event is `struct event` and `size` bytes,
 * read by power.py. One lock is held over each call and its event, so that the order of events is the order of effects; only a sync,
 * which takes long, is not: it holds for what was complete when it began, which its event says.
 *
 * Syncs are recorded but not carried out, since the machine stays on. With RECORD_META_EARLY a sync of a file takes place only after
 * the next synchronous write to it: LMDB's page that makes a commit count is then on the disk before what it points to.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN = 1, WRITE, TRUNCATE, SYNC, RENAME, UNLINK, MKDIR, MAP, TELL };
enum { FAIL_WRITE = 1, FAIL_META, FAIL_SYNC, FAIL_GROWTH, FAILURES };

struct event {
    uint32_t kind;
    uint32_t handle; /* of the open file; 0 where there is none */
    uint64_t at;     /* OPEN: its flags; WRITE: offset; TRUNCATE: length; SYNC: how many events were complete when it began */
    uint64_t size;   /* of what follows: a path, two paths with a zero between them, data */
};

#define FILES_MAX 4096
#define PARTS_MAX 1024 /* the kernel's IOV_MAX */
#define ROOM 10000 /* no multiple of a page: the first write that meets the end is cut short, as on a real disk */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *folder;
static int trace = -1;
static int meta_is_early;
static int failing[FAILURES];
static uint64_t count;
static uint32_t handles;
static uint32_t handle_of[FILES_MAX]; /* 0: not in the folder */
static int flags_of[FILES_MAX];
static uint32_t sync_put_off;
static int64_t room;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("RECORD_TRACE");
    folder = getenv("RECORD_FOLDER");
    meta_is_early = getenv("RECORD_META_EARLY") != NULL;
    if (path && folder)
        trace = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* Cut parts to a size; -> how many are left. */
static int cut(struct iovec *parts, int count, int64_t size)
{
    int used = 0;
    for (; used < count && size > 0; used++) {
        if ((int64_t)parts[used].iov_len > size)
            parts[used].iov_len = (size_t)size;
        size -= (int64_t)parts[used].iov_len;
    }
    return used;
}

static void record(uint32_t kind, uint32_t handle, uint64_t at, const struct iovec *data, int parts, uint64_t size)
{
    struct event event = {kind, handle, at, size};
    struct iovec all[PARTS_MAX + 1] = {{&event, sizeof event}};
    memcpy(all + 1, data, (size_t)parts * sizeof *data);
    if (syscall(SYS_writev, trace, all, cut(all + 1, parts, (int64_t)size) + 1) != (long)(sizeof event + size))
        abort();
    count++;
}

static void record_paths(uint32_t kind, uint32_t handle, uint64_t at, const char *first, const char *second)
{
    struct iovec parts[2] = {{(void *)first, strlen(first)}, {NULL, 0}};
    if (second) {
        parts[0].iov_len++;
        parts[1] = (struct iovec){(void *)second, strlen(second)};
    }
    record(kind, handle, at, parts, 2, parts[0].iov_len + parts[1].iov_len);
}

static int is_inside(const char *path)
{
    return trace >= 0 && path && strncmp(path, folder, strlen(folder)) == 0;
}

static uint32_t handle(int fd)
{
    return trace >= 0 && fd >= 0 && fd < FILES_MAX ? handle_of[fd] : 0;
}

static int fails(int kind)
{
    if (!failing[kind])
        return 0;
    errno = failing[kind];
    return 1;
}

/* Let calls of a kind fail with an error until it is set to 0; FAIL_GROWTH lets files grow by ROOM bytes more, all together. */
void recorder_fail(int kind, int error)
{
    pthread_mutex_lock(&lock);
    failing[kind] = error;
    room = ROOM;
    pthread_mutex_unlock(&lock);
}

/* Put into the trace what the process tells the world: it cannot be taken back. */
void recorder_tell(const char *text)
{
    pthread_mutex_lock(&lock);
    record_paths(TELL, 0, 0, text, NULL);
    pthread_mutex_unlock(&lock);
}

static int opened(int at, const char *path, int flags, mode_t mode)
{
    pthread_mutex_lock(&lock);
    int fd = (int)syscall(SYS_openat, at, path, flags, mode);
    if (fd >= 0 && fd < FILES_MAX) {
        handle_of[fd] = is_inside(path) ? ++handles : 0;
        flags_of[fd] = flags;
        if (handle_of[fd])
            record_paths(OPEN, handle_of[fd], (uint64_t)flags, path, NULL);
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

#define MODE_OF(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | __O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }

int open(const char *path, int flags, ...)
{
    MODE_OF(flags)
    return opened(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE_OF(flags)
    return opened(AT_FDCWD, path, flags, mode);
}

int openat(int at, const char *path, int flags, ...)
{
    MODE_OF(flags)
    return opened(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...)
{
    MODE_OF(flags)
    return opened(at, path, flags, mode);
}

int close(int fd)
{
    pthread_mutex_lock(&lock);
    if (fd >= 0 && fd < FILES_MAX)
        handle_of[fd] = 0;
    int status = (int)syscall(SYS_close, fd);
    pthread_mutex_unlock(&lock);
    return status;
}

/* How much of a write the full disk takes: what is not beyond the end of the file, and what room there is. */
static int64_t taken(int fd, off_t at, int64_t size)
{
    struct stat about;
    if (fstat(fd, &about) != 0)
        abort();
    int64_t growth = at + size - about.st_size;
    if (growth <= 0)
        return size;
    int64_t over = growth > room ? growth - room : 0;
    room -= growth - over;
    return size > over ? size - over : 0;
}

static int64_t size_of(const struct iovec *parts, int count)
{
    int64_t size = 0;
    for (int at = 0; at < count; at++)
        size += (int64_t)parts[at].iov_len;
    return size;
}

/* Write at an offset, or where the file is (-1). */
static ssize_t written(int fd, const struct iovec *given, int parts, off_t offset)
{
    struct iovec data[PARTS_MAX];
    memcpy(data, given, (size_t)parts * sizeof *data);
    pthread_mutex_lock(&lock);
    uint32_t file = handle(fd);
    int is_sync = file && flags_of[fd] & O_DSYNC;
    ssize_t size = -1;
    if (!file || !fails(is_sync ? FAIL_META : FAIL_WRITE)) {
        off_t at = file && offset < 0 ? (flags_of[fd] & O_APPEND ? lseek(fd, 0, SEEK_END) : lseek(fd, 0, SEEK_CUR)) : offset;
        if (file && failing[FAIL_GROWTH])
            parts = cut(data, parts, taken(fd, at, size_of(data, parts)));
        if (file && parts == 0)
            errno = failing[FAIL_GROWTH];
        else
            size = offset < 0 ? syscall(SYS_writev, fd, data, parts) : syscall(SYS_pwritev, fd, data, parts, offset, 0);
        if (file && size > 0)
            record(WRITE, file, (uint64_t)at, data, parts, (uint64_t)size);
        if (file && is_sync && size > 0 && sync_put_off) {
            record(SYNC, sync_put_off, count, NULL, 0, 0);
            sync_put_off = 0;
        }
    }
    pthread_mutex_unlock(&lock);
    return size;
}

ssize_t write(int fd, const void *data, size_t size)
{
    if (!handle(fd))
        return syscall(SYS_write, fd, data, size);
    struct iovec part = {(void *)data, size};
    return written(fd, &part, 1, -1);
}

ssize_t writev(int fd, const struct iovec *data, int parts)
{
    return written(fd, data, parts, -1);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    struct iovec part = {(void *)data, size};
    return written(fd, &part, 1, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset)
{
    return pwrite(fd, data, size, offset);
}

ssize_t pwritev(int fd, const struct iovec *data, int parts, off_t offset)
{
    return written(fd, data, parts, offset);
}

ssize_t pwritev64(int fd, const struct iovec *data, int parts, off_t offset)
{
    return written(fd, data, parts, offset);
}

int ftruncate(int fd, off_t length)
{
    pthread_mutex_lock(&lock);
    int status = (int)syscall(SYS_ftruncate, fd, length);
    if (status == 0 && handle(fd))
        record(TRUNCATE, handle(fd), (uint64_t)length, NULL, 0, 0);
    pthread_mutex_unlock(&lock);
    return status;
}

int ftruncate64(int fd, off_t length)
{
    return ftruncate(fd, length);
}

static int synced(int fd)
{
    if (!handle(fd))
        return (int)syscall(SYS_fsync, fd);
    pthread_mutex_lock(&lock);
    int status = fails(FAIL_SYNC) ? -1 : 0;
    if (status == 0 && meta_is_early)
        sync_put_off = handle(fd);
    else if (status == 0)
        record(SYNC, handle(fd), count, NULL, 0, 0);
    pthread_mutex_unlock(&lock);
    return status;
}

int fsync(int fd)
{
    return synced(fd);
}

int fdatasync(int fd)
{
    return synced(fd);
}

static int renamed(int from_at, const char *from, int to_at, const char *to)
{
    pthread_mutex_lock(&lock);
    int status = (int)syscall(SYS_renameat2, from_at, from, to_at, to, 0);
    if (status == 0 && is_inside(to))
        record_paths(RENAME, 0, 0, from, to);
    pthread_mutex_unlock(&lock);
    return status;
}

int rename(const char *from, const char *to)
{
    return renamed(AT_FDCWD, from, AT_FDCWD, to);
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
    return renamed(from_at, from, to_at, to);
}

static int removed(int at, const char *path, int flags)
{
    pthread_mutex_lock(&lock);
    int status = (int)syscall(SYS_unlinkat, at, path, flags);
    if (status == 0 && is_inside(path))
        record_paths(UNLINK, 0, 0, path, NULL);
    pthread_mutex_unlock(&lock);
    return status;
}

int unlink(const char *path)
{
    return removed(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
    return removed(AT_FDCWD, path, AT_REMOVEDIR);
}

int unlinkat(int at, const char *path, int flags)
{
    return removed(at, path, flags);
}

static int made(int at, const char *path, mode_t mode)
{
    pthread_mutex_lock(&lock);
    int status = (int)syscall(SYS_mkdirat, at, path, mode);
    if (status == 0 && is_inside(path))
        record_paths(MKDIR, 0, 0, path, NULL);
    pthread_mutex_unlock(&lock);
    return status;
}

int mkdir(const char *path, mode_t mode)
{
    return made(AT_FDCWD, path, mode);
}

int mkdirat(int at, const char *path, mode_t mode)
{
    return made(at, path, mode);
}

/* A shared writable mapping would change a file unseen: its event lets the reader refuse the trace. */
static void *mapped(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    void *place = (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
    if (place != MAP_FAILED && handle(fd) && protection & PROT_WRITE && flags & MAP_SHARED) {
        pthread_mutex_lock(&lock);
        record(MAP, handle(fd), 0, NULL, 0, 0);
        pthread_mutex_unlock(&lock);
    }
    return place;
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    return mapped(address, length, protection, flags, fd, offset);
}

void *mmap64(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    return mapped(address, length, protection, flags, fd, offset);
}
