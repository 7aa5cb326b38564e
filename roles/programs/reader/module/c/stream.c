/* A network stream driver of rsyslog that is its own driver INNER (ptcp or ossl), but for what is read: that leaves with a true length before
 * each frame. It uses the interface `nsd` alone, whose version rsyslog checks when the driver is loaded, and no fields of anything. */
#include "config.h"
#include <stdbool.h>
#include <string.h>
#include "rsyslog.h"
#include "module-template.h"
#include "nsd.h"
#include "obj.h"
#include "syslogd-types.h"

MODULE_TYPE_LIB
/* Never unloaded: Rust's library leaves destructors with each thread. */
MODULE_TYPE_KEEP
DEFobjStaticHelpers

#define TEXT_OF(name) #name
#define TEXT(name) TEXT_OF(name)
#define THEIRS "nsd_" TEXT(INNER)
#define OURS "nsd_vaern" TEXT(INNER)

size_t vaern_stream_room(const void *connection, size_t size);
ssize_t vaern_stream_take(const void *connection, const uchar *input, size_t length, bool closed, uchar *output, size_t size);
void vaern_stream_forget(const void *connection);

static nsd_if_t inner;

/* rsyslog 8.2504 says in which direction a TLS connection waits; 8.2302 does not. */
#if nsdCURR_IF_VERSION >= 16
#define DIRECTION , unsigned *nextIODirection
#define THE_DIRECTION , nextIODirection
#else
#define DIRECTION
#define THE_DIRECTION
#endif

/* Reads until a frame is whole, or nothing more is there. The end of a connection gives out what waited first; the next call tells it again. */
static rsRetVal Rcv(nsd_t *pThis, uchar *pRcvBuf, ssize_t *pLenBuf, int *oserr DIRECTION)
{
	DEFiRet;
	uchar bytes[32 * 1024];
	const size_t size = *pLenBuf;
	ssize_t written = 0;

	while(written == 0) {
		ssize_t length = vaern_stream_room(pThis, size);
		if(length > (ssize_t) sizeof(bytes))
			length = sizeof(bytes);
		if(length < 1)
			ABORT_FINALIZE(RS_RET_ERR);
		iRet = inner.Rcv(pThis, bytes, &length, oserr THE_DIRECTION);
		if(iRet == RS_RET_RETRY)
			FINALIZE;
		const bool closed = iRet != RS_RET_OK;
		written = vaern_stream_take(pThis, bytes, closed ? 0 : length, closed, pRcvBuf, size);
		if(written < 0)
			ABORT_FINALIZE(RS_RET_ERR);
		if(closed && written == 0)
			FINALIZE;
	}
	iRet = RS_RET_OK;

finalize_it:
	*pLenBuf = written > 0 ? written : 0;
	RETiRet;
}

static rsRetVal Destruct(nsd_t **ppThis)
{
	vaern_stream_forget(*ppThis);
	return inner.Destruct(ppThis);
}

/* Everything but these two is the inner driver's, on its own objects. */
static rsRetVal QueryInterface(nsd_if_t *pIf)
{
	DEFiRet;
	const int loaded = pIf->ifIsLoaded;

	if(pIf->ifVersion != nsdCURR_IF_VERSION)
		ABORT_FINALIZE(RS_RET_INTERFACE_NOT_SUPPORTED);
	*pIf = inner;
	pIf->ifIsLoaded = loaded;
	pIf->Rcv = Rcv;
	pIf->Destruct = Destruct;
finalize_it:
	RETiRet;
}

static rsRetVal announce(const char *name, rsRetVal (*query)(interface_t*), modInfo_t *pModInfo)
{
	DEFiRet;
	CHKiRet(obj.InfoConstruct(&pObjInfoOBJ, (uchar*) name, 1, NULL, NULL, query, pModInfo));
	CHKiRet(obj.RegisterObj((uchar*) name, pObjInfoOBJ));
finalize_it:
	RETiRet;
}

#if nsdCURR_IF_VERSION < 16
/* rsyslog 8.2302 asks each driver for what waits on its sockets. While an interface is being loaded it is marked as one that failed to load. */
static rsRetVal inner_interface(const char *name, interface_t *pIf)
{
	pIf->ifIsLoaded = 0;
	return obj.UseObj(__FILE__, (uchar*) name, DONT_LOAD_LIB, pIf);
}
static rsRetVal QuerySelect(interface_t *pIf)
{
	return inner_interface("nsdsel_" TEXT(INNER), pIf);
}
static rsRetVal QueryPoll(interface_t *pIf)
{
	return inner_interface("nsdpoll_" TEXT(INNER), pIf);
}
#endif

BEGINmodExit
CODESTARTmodExit
#if nsdCURR_IF_VERSION < 16
	obj.UnregisterObj((uchar*) "nsdpoll_vaern" TEXT(INNER));
	obj.UnregisterObj((uchar*) "nsdsel_vaern" TEXT(INNER));
#endif
	obj.UnregisterObj((uchar*) OURS);
	obj.ReleaseObj(__FILE__, (uchar*) THEIRS, (uchar*) "lm" THEIRS, (interface_t*) &inner);
ENDmodExit

BEGINqueryEtryPt
CODESTARTqueryEtryPt
CODEqueryEtryPt_STD_LIB_QUERIES
ENDqueryEtryPt

BEGINmodInit()
CODESTARTmodInit
	*ipIFVersProvided = CURR_MOD_IF_VERSION;
	inner.ifVersion = nsdCURR_IF_VERSION;
	CHKiRet(obj.UseObj(__FILE__, (uchar*) THEIRS, (uchar*) "lm" THEIRS, (interface_t*) &inner));
	CHKiRet(announce(OURS, (rsRetVal (*)(interface_t*)) QueryInterface, pModInfo));
#if nsdCURR_IF_VERSION < 16
	CHKiRet(announce("nsdsel_vaern" TEXT(INNER), QuerySelect, pModInfo));
	CHKiRet(announce("nsdpoll_vaern" TEXT(INNER), QueryPoll, pModInfo));
#endif
ENDmodInit
