/*
 * Preloaded under a process that keeps an outbox in SHIM_ROOT: a file system that fails, or a kill at one exact call.
 *
 * While the file SHIM_ERROR exists, whatever would change a file or folder under SHIM_ROOT, or sync it, fails with the
 * errno whose number the file holds; reads go on. access(2) for writing fails the same way with EROFS alone.
 *
 * SHIM_KILL names calls on files "*.blob": "rename:N" kills the process right after the Nth such rename, "unlink:N"
 * right before the Nth such removal.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(result, name, ...) ((result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

static int is_under_root(const char *path) {
  const char *root = getenv("SHIM_ROOT");
  return root != NULL && strncmp(path, root, strlen(root)) == 0;
}

static int is_fd_under_root(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  return is_under_root(path);
}

/* The errno that is wished now, 0 for none. */
static int wished_error(void) {
  const char *file = getenv("SHIM_ERROR");
  if (file == NULL) return 0;
  int fd = (int)REAL(int, "open", const char *, int, ...)(file, O_RDONLY);
  if (fd < 0) return 0;
  char text[16] = {0};
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  return length > 0 ? atoi(text) : 0;
}

static int fails(int concerned) {
  if (!concerned) return 0;
  int saved = errno;
  int error = wished_error();
  errno = error != 0 ? error : saved;
  return error != 0;
}

static void kill_at(const char *call, const char *path) {
  static atomic_int count;
  const char *wish = getenv("SHIM_KILL");
  size_t length = strlen(path), name = strlen(call);
  if (wish == NULL || strncmp(wish, call, name) != 0 || wish[name] != ':') return;
  if (length < 5 || strcmp(path + length - 5, ".blob") != 0 || !is_under_root(path)) return;
  if (++count == atoi(wish + name + 1)) kill(getpid(), SIGKILL);
}

#define ON_FD(result, name, params, types, args)          \
  result name params {                                    \
    if (fails(is_fd_under_root(fd))) return -1;           \
    return ((result(*) types)dlsym(RTLD_NEXT, #name))args; \
  }
ON_FD(ssize_t, write, (int fd, const void *data, size_t count), (int, const void *, size_t), (fd, data, count))
ON_FD(ssize_t, writev, (int fd, const struct iovec *data, int count), (int, const struct iovec *, int), (fd, data, count))
ON_FD(ssize_t, pwrite, (int fd, const void *data, size_t count, off_t at), (int, const void *, size_t, off_t), (fd, data, count, at))
ON_FD(ssize_t, pwrite64, (int fd, const void *data, size_t count, off64_t at), (int, const void *, size_t, off64_t), (fd, data, count, at))
ON_FD(int, ftruncate, (int fd, off_t size), (int, off_t), (fd, size))
ON_FD(int, ftruncate64, (int fd, off64_t size), (int, off64_t), (fd, size))
ON_FD(int, fsync, (int fd), (int), (fd))
ON_FD(int, fdatasync, (int fd), (int), (fd))

#define OPEN(name)                                                                       \
  int name(const char *path, int flags, ...) {                                           \
    va_list rest;                                                                        \
    va_start(rest, flags);                                                               \
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;                     \
    va_end(rest);                                                                        \
    if (fails((flags & O_ACCMODE) != O_RDONLY && is_under_root(path))) return -1;        \
    return REAL(int, #name, const char *, int, ...)(path, flags, mode);                  \
  }
OPEN(open)
OPEN(open64)

int rename(const char *from, const char *to) {
  if (fails(is_under_root(to))) return -1;
  int result = REAL(int, "rename", const char *, const char *)(from, to);
  if (result == 0) kill_at("rename", to);
  return result;
}

int unlink(const char *path) {
  if (fails(is_under_root(path))) return -1;
  kill_at("unlink", path);
  return REAL(int, "unlink", const char *)(path);
}

/* Node 23 and newer delete files by way of the C++ library, which calls this one. */
int remove(const char *path) {
  if (fails(is_under_root(path))) return -1;
  kill_at("unlink", path);
  return REAL(int, "remove", const char *)(path);
}

int access(const char *path, int mode) {
  if ((mode & W_OK) != 0 && is_under_root(path) && wished_error() == EROFS) {
    errno = EROFS;
    return -1;
  }
  return REAL(int, "access", const char *, int)(path, mode);
}
