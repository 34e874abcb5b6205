const { stopServices } = await import('./services.ts');

export default stopServices;
