/* load_pdf.h: PDF, read by poppler's pdftotext and pdfinfo, which are programs of their own. */
#ifndef LIB_RAG_LOAD_PDF_H
#define LIB_RAG_LOAD_PDF_H

#include "lib/rag/load_read.h"

/* fd: the file. A document a page: {"page": from 0, "page_label": from "1", "total_pages", and what the file says of itself: "title", "author", "creator", "producer",
 * "creationdate"}. INVALID: no PDF, or protected; FAILED: pdftotext is not there. */
enum status load_pdf(struct arena *mem, int fd, struct rag_documents *out, struct error *err);

#endif
