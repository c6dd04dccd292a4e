/* SPDX-License-Identifier: MIT */
/*
 * The registry of reports: one line each makes the enumerator, the text and the index.
 *
 * Numbers are stable: a number is never given to another report, and a report that goes leaves its
 * number unused. `dmasim reports` prints the index.
 */
#ifndef DMASIM_REPORT_REGISTRY_H
#define DMASIM_REPORT_REGISTRY_H

/* X(number, enumerator, name, one sentence: what is wrong) */
#define DMASIM_REPORTS(X)                                                                          \
	X(1, IOMMU_FAULT, "iommu-fault", "The IOMMU refused a request of the device")              \
	X(2, UNSUPPORTED_REQUEST, "unsupported-request", "A request of the device reached nobody") \
	X(3, ACCESS_NOT_MAPPED, "access-not-mapped",                                               \
	  "The device touched memory that no mapping gives it")                                    \
	X(4, ACCESS_BEFORE_SYNC, "access-before-sync",                                             \
	  "The device used a range that was linked but not yet synced")                            \
	X(5, ACCESS_AGAINST_DIRECTION, "access-against-direction",                                 \
	  "The device used a mapping against its direction")                                       \
	X(6, ACCESS_MISROUTED, "access-misrouted",                                                 \
	  "A request for a live mapping ended somewhere else than the mapping says")               \
	X(8, STALE_TRANSLATION, "stale-translation",                                               \
	  "A translation may still be cached although its unmap is over")                          \
	X(9, TABLE_FREED_EARLY, "table-freed-early",                                               \
	  "A page-table page was freed while the IOMMU may still walk it")                         \
	X(10, UNMAP_NOT_MAPPED, "unmap-not-mapped", "An unmap of what is not mapped")              \
	X(11, UNMAP_MISMATCH, "unmap-mismatch", "An unmap does not match the mapping it ends")     \
	X(12, UNMAP_FOREIGN, "unmap-foreign", "An unmap tore down a mapping of somebody else")     \
	X(13, UNMAP_SHORT, "unmap-short",                                                          \
	  "An unmap found less in the page table than it was told")                                \
	X(14, FREE_WITH_LINKS, "free-with-links",                                                  \
	  "An IOVA range was freed while parts of it are still linked")                            \
	X(15, IOVA_IN_WINDOW, "iova-in-window",                                                    \
	  "An IOVA was handed out that a host bridge claims as a bus address")                     \
	X(16, STATE_UNKNOWN, "state-unknown",                                                      \
	  "A two-step call with a state that owns no IOVA range")                                  \
	X(17, USE_AFTER_UNMAP, "use-after-unmap", "The device used an address after its unmap")    \
	X(18, BUS_FLAG_LOST, "bus-flag-lost",                                                      \
	  "A scatterlist entry that holds a bus address was unmapped as an IOVA")                  \
	X(19, P2P_WRONG_WAY, "p2p-wrong-way",                                                      \
	  "Peer memory below a common switch was mapped through the host bridge")                  \
	X(20, BAD_DIRECTION, "bad-direction", "A DMA direction that no mapping can have")          \
	X(21, BAD_ARGUMENT, "bad-argument", "A call that Linux warns about and refuses")           \
	X(22, NO_DMA_MASK, "no-dma-mask", "A mapping for a device that has no DMA mask")           \
	X(23, LINK_OUTSIDE, "link-outside",                                                        \
	  "A link, sync or unlink outside the range its state allocated")                          \
	X(24, MAPPING_LEAKED, "mapping-leaked", "A mapping was never ended")                       \
	X(26, QUEUE_ERROR, "queue-error", "The IOMMU rejected an invalidation command")            \
	X(27, CHECKER_BLIND, "checker-blind",                                                      \
	  "The checker ran out of memory and does not judge from here on")                         \
	X(28, MASK_OVERFLOW, "mask-overflow",                                                      \
	  "A buffer that the device's DMA mask cannot reach was mapped without an IOMMU")          \
	X(29, BOUNCE_FULL, "bounce-full", "There is no bounce buffer for a mapping")               \
	X(30, BOUNCE_OVERRUN, "bounce-overrun",                                                    \
	  "A sync or an unmap is longer than what was bounced")                                    \
	X(31, DIRECT_REGION, "direct-region",                                                      \
	  "A region that firmware wants mapped one to one is not")                                 \
	X(32, KERNEL_MISUSE, "kernel-misuse",                                                      \
	  "A call of a driver that would stop or corrupt a kernel")                                \
	X(33, LINKED_NOTHING, "linked-nothing",                                                    \
	  "A link of a buffer asked the page table for no bytes")                                  \
	X(34, SEGMENT_LENGTH, "segment-length",                                                    \
	  "A DMA segment is not as long as the peer memory it stands for")                         \
	X(35, LIST_CHANGED, "list-changed",                                                        \
	  "Mapping a scatterlist changed its pages, offsets or lengths")                           \
	X(36, DEADLOCK, "deadlock", "CPUs wait for locks that nobody can let go of")               \
	X(37, ABSENT_CACHED, "absent-cached",                                                      \
	  "The IOMMU may still have cached that a mapping is not there")                           \
	X(38, MIXED_PAGE_SIZES, "mixed-page-sizes",                                                \
	  "A large page may still be cached where the table has smaller ones")                     \
	X(39, STALE_CONTEXT, "stale-context",                                                      \
	  "A context entry may still be cached although its device was attached anew")             \
	X(40, DEVICE_TLB_TIMEOUT, "device-tlb-timeout",                                            \
	  "A device did not answer an invalidation of its TLB")                                    \
	X(41, PEER_RELEASED, "peer-released",                                                      \
	  "A provider of peer memory was let go of while the memory is in use")                    \
	X(42, PEER_REVOKED, "peer-revoked", "Peer memory stopped answering while it is mapped")    \
	X(43, ACS_VIOLATION, "acs-violation",                                                      \
	  "Access Control Services of a port or function blocked a request of the device")         \
	X(45, MAPPINGS_OVERLAP, "mappings-overlap",                                                \
	  "Two live mappings share memory that a device may write")                                \
	X(46, STACK_MAPPED, "stack-mapped", "Memory of a stack was mapped")                        \
	X(47, READ_ONLY_MAPPED, "read-only-mapped",                                                \
	  "Code or constants of the program were mapped")                                          \
	X(48, SEGMENT_LIMIT, "segment-limit",                                                      \
	  "A segment of a scatterlist is beyond what its device takes")                            \
	X(49, SYNC_NOT_MAPPED, "sync-not-mapped", "A sync of what is not mapped")                  \
	X(50, SYNC_MISMATCH, "sync-mismatch", "A sync does not match the mapping it is of")        \
	X(51, MAPPING_UNCHECKED, "mapping-unchecked",                                              \
	  "A mapping ended without dma_mapping_error() having been asked about it")                \
	X(52, RESOURCE_IS_RAM, "resource-is-ram", "Memory was mapped as if it were a resource")    \
	X(53, CPU_WROTE, "cpu-wrote", "The CPU wrote to memory that was a device's")               \
	X(54, CPU_LINE_LOST, "cpu-line-lost",                                                      \
	  "The CPU wrote beside a device's buffer, to a cache line that both use")                 \
	X(57, STATE_ENDED, "state-ended",                                                          \
	  "A two-step call with a state whose range was freed or destroyed before")                \
	X(58, STATE_FOREIGN, "state-foreign", "A two-step call with a state of another device")    \
	X(59, LINK_OVERLAP, "link-overlap", "A link of what is linked already")                    \
	X(60, LINK_MISALIGNED, "link-misaligned",                                                  \
	  "A link whose buffer and IOVA have different places in their granules")                  \
	X(61, BUS_ADDRESS_UNMAPPED, "bus-address-unmapped",                                        \
	  "The bus address of peer memory was unmapped as if it were an IOVA")                     \
	X(62, P2P_VERDICT, "p2p-verdict",                                                          \
	  "Peer memory was used in another way than its map type says")                            \
	X(63, PEER_AS_RAM, "peer-as-ram", "Memory of a BAR was mapped as if it were RAM")          \
	X(67, ACCESS_BEYOND, "access-beyond", "The device went beyond the bytes of a mapping")     \
	X(68, ACCESS_FOREIGN, "access-foreign",                                                    \
	  "The device used an address that was mapped for another device")                         \
	X(69, PEER_NOT_GIVEN, "peer-not-given",                                                    \
	  "The device touched peer memory that its pool has not given out")                        \
	X(70, SYNC_MISSING, "sync-missing",                                                        \
	  "The device used memory that the CPU wrote to, with no sync for the device between")

#endif
