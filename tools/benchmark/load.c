/*
 * The load: a window of requests kept in flight on the kernel's side of a TAP device, each reply checked once.
 *
 * Arguments: device, LENGTHS of a request and of a reply in bytes, number of SLOTS, WINDOW, and AT, where a
 * reply has its number, in two octets. Standard input begins with the answer
 * to a neighbour solicitation (SOLICITED bytes), SLOTS requests and the SLOTS replies that they must get;
 * reply I has the number I. Lines follow, each the number of requests of one round, and for
 * each a line is written: replies, nanoseconds, wrong frames, lost requests.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FLOW = 14, FLOW_END = 18, NEXT_HEADER = 20, HOP_LIMIT = 21, SOURCE = 22, TYPE = 54, CHECKSUM = 56, TARGET = 62, SOLICITED = 86 };
enum { ICMPV6 = 58, SOLICITATION = 135 };
enum { BATCH = 64, PATIENCE_MS = 2000, LONGEST = 2048, BUFFER = 1 << 23 };

static unsigned char *requests, *replies, advertisement[SOLICITED];
static size_t request_length, reply_length, at;
static unsigned slots, window;
static int device;

static int read_all(void *into, size_t length)
{
    return fread(into, 1, length, stdin) == length ? 0 : -1;
}

static unsigned long long nanoseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long long)now.tv_sec * 1000000000ull + (unsigned long long)now.tv_nsec;
}

/* Which request a frame is the right reply to, or -1; flow label and hop limit, which a host chooses, are left out. */
static int answers(const unsigned char *frame, size_t length)
{
    unsigned number;
    const unsigned char *wanted;

    if (length != reply_length)
        return -1;
    number = (unsigned)(frame[at] << 8 | frame[at + 1]);
    if (number >= slots)
        return -1;
    wanted = replies + number * reply_length;
    if (memcmp(frame, wanted, FLOW) || memcmp(frame + FLOW_END, wanted + FLOW_END, HOP_LIMIT - FLOW_END) ||
        memcmp(frame + SOURCE, wanted + SOURCE, reply_length - SOURCE))
        return -1;
    return (int)number;
}

/* The peer has every address that it is asked for. */
static int advertise(const unsigned char *target)
{
    unsigned sum = ICMPV6 + SOLICITED - TYPE;

    memcpy(advertisement + SOURCE, target, 16);
    memcpy(advertisement + TARGET, target, 16);
    advertisement[CHECKSUM] = advertisement[CHECKSUM + 1] = 0;
    for (unsigned each = SOURCE; each < SOLICITED; each += 2)
        sum += (unsigned)(advertisement[each] << 8 | advertisement[each + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
    sum += sum >> 16;
    advertisement[CHECKSUM] = (unsigned char)(~sum >> 8);
    advertisement[CHECKSUM + 1] = (unsigned char)~sum;
    return send(device, advertisement, SOLICITED, 0) == SOLICITED;
}

/* Sends the requests named in `which`; how many the kernel took. */
static unsigned send_requests(const unsigned *which, unsigned count)
{
    static struct mmsghdr messages[BATCH];
    static struct iovec pieces[BATCH];
    unsigned done = 0;

    while (done < count) {
        unsigned many = count - done < BATCH ? count - done : BATCH;
        int taken;

        for (unsigned each = 0; each < many; each++) {
            pieces[each].iov_base = requests + which[done + each] * request_length;
            pieces[each].iov_len = request_length;
            memset(&messages[each], 0, sizeof messages[each]);
            messages[each].msg_hdr.msg_iov = &pieces[each];
            messages[each].msg_hdr.msg_iovlen = 1;
        }
        taken = sendmmsg(device, messages, many, 0);
        if (taken <= 0)
            break;
        done += (unsigned)taken;
    }
    return done;
}

static void round_of(unsigned long long count, unsigned char *in_flight)
{
    static unsigned char frames[BATCH][LONGEST];
    static struct mmsghdr messages[BATCH];
    static struct iovec pieces[BATCH];
    static unsigned next[4096];
    unsigned long long sent = 0, got = 0, wrong = 0, begin, end;
    unsigned many = 0;

    memset(in_flight, 0, slots);
    begin = end = nanoseconds();
    while (many < window && many < count) {
        in_flight[many] = 1;
        next[many] = many;
        many++;
    }
    sent += send_requests(next, many);
    while (got < sent) {
        struct pollfd wait = {device, POLLIN, 0};
        int taken;

        many = 0;
        for (unsigned each = 0; each < BATCH; each++) {
            pieces[each].iov_base = frames[each];
            pieces[each].iov_len = LONGEST;
            memset(&messages[each], 0, sizeof messages[each]);
            messages[each].msg_hdr.msg_iov = &pieces[each];
            messages[each].msg_hdr.msg_iovlen = 1;
        }
        taken = recvmmsg(device, messages, BATCH, MSG_DONTWAIT, NULL);
        if (taken <= 0) {
            if (poll(&wait, 1, PATIENCE_MS) <= 0)
                break;
            continue;
        }
        for (int each = 0; each < taken; each++) {
            const unsigned char *frame = frames[each];
            size_t length = messages[each].msg_len;
            int number = answers(frame, length);

            if (number >= 0 && in_flight[number]) {
                in_flight[number] = 0;
                got++;
                if (sent + many < count) {
                    /* Of two only one is ever in flight: a late copy of a reply is told from a right one. */
                    unsigned following = ((unsigned)number + window) % slots;

                    in_flight[following] = 1;
                    next[many++] = following;
                }
            } else if (length > TYPE && frame[NEXT_HEADER] == ICMPV6 && frame[TYPE] == SOLICITATION) {
                if (length < SOLICITED || !advertise(frame + TARGET))
                    wrong++;
            } else if (number >= 0 || (length == reply_length && frame[NEXT_HEADER])) {
                wrong++;
            }
        }
        end = nanoseconds();
        sent += send_requests(next, many);
    }
    printf("%llu %llu %llu %llu\n", got, end - begin, wrong, sent - got);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IPV6)};
    int buffer = BUFFER;
    unsigned char *in_flight;
    char line[64];

    if (argc != 7)
        return 2;
    request_length = strtoul(argv[2], NULL, 10);
    reply_length = strtoul(argv[3], NULL, 10);
    slots = (unsigned)strtoul(argv[4], NULL, 10);
    window = (unsigned)strtoul(argv[5], NULL, 10);
    at = strtoul(argv[6], NULL, 10);
    requests = malloc(request_length * slots);
    replies = malloc(reply_length * slots);
    in_flight = malloc(slots);
    if (!requests || !replies || !in_flight || window > 4096 || at + 2 > reply_length || reply_length > LONGEST)
        return 2;
    if (read_all(advertisement, SOLICITED) || read_all(requests, request_length * slots) ||
        read_all(replies, reply_length * slots))
        return 2;
    device = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IPV6));
    address.sll_ifindex = (int)if_nametoindex(argv[1]);
    if (device < 0 || !address.sll_ifindex || bind(device, (struct sockaddr *)&address, sizeof address))
        return 1;
    if (setsockopt(device, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer))
        return 1;
    while (fgets(line, sizeof line, stdin))
        round_of(strtoull(line, NULL, 10), in_flight);
    return 0;
}
