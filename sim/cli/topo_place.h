/* SPDX-License-Identifier: MIT */
/*
 * Where the picture of a tree has its boxes, in pixels. A column for each host bridge; in it
 * functions stand to the right of the bridge above them, the first one beside it, the others below:
 *
 *   +-host bridge--+   +-switch----------------------+
 *   |  root port --|---|- upstream --+-- downstream -|--- device
 *   |              |   |             |               |
 *   |              |   |             +-- downstream -|--- device
 *   |  endpoint    |   +-----------------------------+
 *   +--------------+
 */
#ifndef CLI_TOPO_PLACE_H
#define CLI_TOPO_PLACE_H

#include "topo.h"

enum {
	BOX_WIDTH = 222,
	BOX_HEIGHT = 38,
	LINK_WIDTH = 40, /* between a bridge and what is below it */
	STEP = BOX_WIDTH + LINK_WIDTH,
	GAP_FUNCTIONS = 4, /* of one device */
	GAP_DEVICES = 12,
	FRAME_PAD = 12,
	SWITCH_HEAD = 24,     /* its frame's, above the first box */
	HOST_HEAD = 44,	      /* the name and the buses */
	HOST_LINE = 15,	      /* each window */
	HOST_WINDOWS_MAX = 4, /* that are told */
	COLUMN_GAP = 44,
	WIDTH_MAX = 1800, /* unless one column is wider */
	MARGIN = 24,
	TITLE_HEIGHT = 52,
};

struct topo_at {
	u32 x, y;
};

struct topo_frame {
	u32 x, y, width, height;
};

struct topo_place {
	const struct topo *topo;
	struct topo_at *at;	 /* of each function's box: its corner */
	struct topo_frame *host; /* of each host bridge */
	u32 width, height;	 /* of all, without title and legend */
	u32 bottom;		 /* while placing: the lowest point of what is placed */
};

/* False: there is no memory. topo_place_free() in any case. */
bool topo_place(struct topo_place *place, const struct topo *topo);
void topo_place_free(struct topo_place *place);

/* Around a switch's upstream port and what is inside. */
struct topo_frame topo_switch_frame(const struct topo_place *place, u32 upstream);

/*
 * The functions of a bus in order, TOPO_NONE ends: a bridge's first, and the next. Virtual ones
 * have no boxes: their physical function tells how many there are.
 */
u32 topo_first_below(const struct topo *topo, u32 bridge);
u32 topo_next_beside(const struct topo *topo, u32 at);

/* How many of a host bridge's windows are told. */
u32 topo_host_lines(const struct topo_host_bridge *host);

#endif
