/* SPDX-License-Identifier: MIT */
/*
 * SR-IOV: virtual functions, which a physical function's capability makes.
 *
 *   VF i's requester ID = the PF's + First VF Offset + i * VF Stride
 *   VF i's BAR n        = the PF's VF BAR n + i * its size
 *
 *        bus 03                      bus 04, which only the port above knows
 *   |----PF------VF 0--VF 1--...----|--VF k--VF k+1--...
 *        |offset-|stride|
 *
 * They answer while VF Enable is set, the first NumVFs of them, and decode memory while VF MSE is.
 * Vendor and device read as ones. Bus master, ACS and the device TLB are each one's own. Those that
 * nobody described are made when VF Enable is switched on, and have the physical function's
 * capabilities. Switched off, they stay, and answer nothing. Not modelled: migration, and offset
 * and stride that change with NumVFs.
 */
#ifndef HW_SRIOV_H
#define HW_SRIOV_H

#include "hw/pci.h"

/* Reads what a new function's capability says, if it has one. */
void hw_sriov_init(struct hw_function *function, const struct hw_function_desc *desc);

/* False: the registers say that it has no requester ID of its own among all buses. */
bool hw_sriov_has_number(const struct hw_function *physfn, u32 index);

/* How many bus numbers past its own bus's all its virtual functions need; any function. */
u32 hw_sriov_buses_past(const struct hw_function *function);

/* Gives a new virtual function its number and BARs. It must have a number. */
void hw_sriov_place(struct hw_function *virtfn);

/* True while VF Enable and VF MSE let it decode. */
bool hw_sriov_decodes_memory(const struct hw_function *virtfn);

/* Decodes the capability, and with it all virtual functions. */
void hw_sriov_decode(struct hw_function *physfn);

/* The writable bits of one aligned dword. */
u32 hw_sriov_writable(const struct hw_function *physfn, u32 offset);

/*
 * The dword of the control register is about to be written: returns what is written. Makes virtual
 * functions that are missing; without memory for all of them VF Enable stays off.
 */
u32 hw_sriov_write_control(struct hw_function *physfn, u32 dword);

#endif
