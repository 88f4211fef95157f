/*
 * The yardstick: an echo responder on a TAP device, as fast as one process can be.
 *
 * It has the device as its standard input and turns each echo request in place: MACs and
 * addresses swapped, type 129, the checksum lessened by what that adds (RFC 1624).
 * It checks nothing else; nearly all of its time is the kernel's read and write.
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { ETHERNET = 14, IPV6 = 40, NEXT_HEADER = 20, TYPE = 54, CHECKSUM = 56, SHORTEST = 62 };
enum { ICMPV6 = 58, ECHO_REQUEST = 128, ECHO_REPLY = 129 };

static void swap(unsigned char *one, unsigned char *other, size_t length)
{
    unsigned char kept[16];

    memcpy(kept, one, length);
    memcpy(one, other, length);
    memcpy(other, kept, length);
}

int main(void)
{
    static unsigned char frame[65600];
    const int device = 0;

    for (;;) {
        ssize_t length = read(device, frame, sizeof frame);
        if (length < 0 && errno == EINTR)
            continue;
        if (length <= 0)
            return 1;
        if (length < SHORTEST || frame[12] != 0x86 || frame[13] != 0xdd || frame[NEXT_HEADER] != ICMPV6 ||
            frame[TYPE] != ECHO_REQUEST)
            continue;
        swap(frame, frame + 6, 6);
        swap(frame + 22, frame + 38, 16);
        frame[TYPE] = ECHO_REPLY;
        /* The type's word grows by 0x0100, so the checksum shrinks by it, in one's complement. */
        uint32_t sum = (uint32_t)(frame[CHECKSUM] << 8 | frame[CHECKSUM + 1]) + 0xfeffu;
        sum = (sum & 0xffff) + (sum >> 16);
        frame[CHECKSUM] = (unsigned char)(sum >> 8);
        frame[CHECKSUM + 1] = (unsigned char)sum;
        if (write(device, frame, (size_t)length) < 0 && errno != EAGAIN && errno != EIO)
            return 1;
    }
}
