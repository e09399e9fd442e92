
/*
 * The version of the suite, as the API and the packages show it.
 */


#ifndef _NGX_DUPLEX_VERSION_H_INCLUDED_
#define _NGX_DUPLEX_VERSION_H_INCLUDED_


#define NGX_DUPLEX_VERSION  "0.1.0"


#endif /* _NGX_DUPLEX_VERSION_H_INCLUDED_ */
