/*
 * Preloaded under a process that keeps an outbox in SHIM_ROOT: what a power cut would leave of it.
 *
 * At each fsync or fdatasync of a file under SHIM_ROOT its content as of now is kept in SHIM_SHADOW/content/INODE, at
 * each of a folder its names in SHIM_SHADOW/names/INODE, as lines "INODE NAME". All that was written, renamed or removed
 * after the last sync is lost. It does not model writes that reach the disk in part or out of order.
 *
 * SHIM_DELAY_MS makes every sync take that long.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void keep_content(int fd, const char *shadow, unsigned long inode) {
  char link[64], from_path[64], to_path[PATH_MAX], temporary[PATH_MAX];
  snprintf(from_path, sizeof from_path, "/proc/self/fd/%d", fd);
  snprintf(link, sizeof link, "%ld", (long)syscall(SYS_gettid));
  snprintf(to_path, sizeof to_path, "%s/content/%lu", shadow, inode);
  snprintf(temporary, sizeof temporary, "%s.%s", to_path, link);
  int from = open(from_path, O_RDONLY);
  int to = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  char buffer[65536];
  ssize_t count;
  while (from >= 0 && to >= 0 && (count = read(from, buffer, sizeof buffer)) > 0) {
    if (write(to, buffer, (size_t)count) != count) abort();
  }
  if (from >= 0) close(from);
  if (to >= 0) close(to);
  rename(temporary, to_path);
}

static void keep_names(int fd, const char *shadow, unsigned long inode) {
  char path[64], to_path[PATH_MAX], temporary[PATH_MAX];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  snprintf(to_path, sizeof to_path, "%s/names/%lu", shadow, inode);
  snprintf(temporary, sizeof temporary, "%s.new", to_path);
  DIR *folder = opendir(path);
  FILE *to = fopen(temporary, "w");
  if (folder == NULL || to == NULL) abort();
  struct dirent *entry;
  while ((entry = readdir(folder)) != NULL) {
    if (entry->d_name[0] == '.') continue;
    fprintf(to, "%lu %s\n", (unsigned long)entry->d_ino, entry->d_name);
  }
  closedir(folder);
  fclose(to);
  rename(temporary, to_path);
}

static void before_sync(void) {
  const char *delay = getenv("SHIM_DELAY_MS");
  if (delay != NULL) {
    long ms = atol(delay);
    struct timespec wait = {ms / 1000, (ms % 1000) * 1000000};
    nanosleep(&wait, NULL);
  }
}

static void after_sync(int fd) {
  const char *root = getenv("SHIM_ROOT");
  const char *shadow = getenv("SHIM_SHADOW");
  if (root == NULL || shadow == NULL) return;
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return;
  path[length] = '\0';
  if (strncmp(path, root, strlen(root)) != 0) return;
  struct stat status;
  if (fstat(fd, &status) != 0) return;
  if (S_ISDIR(status.st_mode)) keep_names(fd, shadow, status.st_ino);
  else if (S_ISREG(status.st_mode)) keep_content(fd, shadow, status.st_ino);
}

static int sync_with(const char *name, int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  before_sync();
  int result = real(fd);
  if (result == 0) after_sync(fd);
  return result;
}

int fsync(int fd) { return sync_with("fsync", fd); }
int fdatasync(int fd) { return sync_with("fdatasync", fd); }
