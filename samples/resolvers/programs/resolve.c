/* Resolve a name and connect to its first address, some times over: resolve NAME PORT TIMES PAUSE_MS.
   Port 0 connects to nothing. One line of JSON for each time. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static int connects(const struct addrinfo *to) {
  int s = socket(to->ai_family, SOCK_STREAM, 0);
  int connected = connect(s, to->ai_addr, to->ai_addrlen) == 0;
  close(s);
  return connected;
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  for (int turn = 0; turn < atoi(argv[3]); turn++) {
    if (turn) usleep(atoi(argv[4]) * 1000);
    struct addrinfo *found = NULL;
    double started = now();
    int error = getaddrinfo(argv[1], argv[2], &hints, &found);
    double took = now() - started;
    int addresses = 0, connected = 0;
    for (struct addrinfo *a = found; a; a = a->ai_next) addresses++;
    if (found && atoi(argv[2])) connected = connects(found);
    printf("{\"name\": \"%s\", \"started\": %.6f, \"took_s\": %.3f, \"addresses\": %d, \"connected\": %s, \"error\": \"%s\"}\n",
           argv[1], started, took, addresses, connected ? "true" : "false", error ? gai_strerror(error) : "");
    fflush(stdout);
    if (found) freeaddrinfo(found);
  }
  return 0;
}
