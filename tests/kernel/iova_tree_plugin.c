// SPDX-License-Identifier: MIT
#include "iova_tree.h"

DMASIM_IOVA_PLUGIN(*dmasim_iova_tree())
