
/*
 * CRC-32 (ISO 3309) as nginx's, eight bytes at a time: of a table that is
 * sent whole, a byte at a time was a quarter of what it cost.
 */


#ifndef _NGX_DUPLEX_CRC_H_INCLUDED_
#define _NGX_DUPLEX_CRC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* as ngx_crc32_update(), between ngx_crc32_init() and ngx_crc32_final() */
void ngx_duplex_crc_update(uint32_t *crc, u_char *p, size_t len);


#endif /* _NGX_DUPLEX_CRC_H_INCLUDED_ */
